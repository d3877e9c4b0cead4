/* passkeys: [data-passkey="create"|"get"] is a form whose answer only the browser can give: sending it first asks for a
   passkey with the options of data-options, puts the answer into the field "credential", and sends it then. */
{
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const listed = (keys) => keys?.map((key) => ({ ...key, id: bytes(key.id) }));

  const read = (kind, options) => {
    const own = kind === 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON';
    if (window.PublicKeyCredential?.[own]) return PublicKeyCredential[own](options);
    const user = options.user && { ...options.user, id: bytes(options.user.id) };
    const { excludeCredentials, allowCredentials } = options;
    return {
      ...options, challenge: bytes(options.challenge), ...(user && { user }),
      ...(excludeCredentials && { excludeCredentials: listed(excludeCredentials) }),
      ...(allowCredentials && { allowCredentials: listed(allowCredentials) }),
    };
  };

  const written = (credential) => {
    if (credential.toJSON) return credential.toJSON();
    const response = {};
    for (const name of ['attestationObject', 'authenticatorData', 'clientDataJSON', 'signature', 'userHandle']) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {} };
  };

  const reasons = {
    NotAllowedError: 'No passkey was given. Try again, or go on without one.',
    InvalidStateError: 'This device or password manager has a passkey for you already.',
  };
  const failed = (form, words) => {
    const place = form.querySelector('[data-passkey-says]');
    place.textContent = words;
    place.hidden = false;
  };

  ui.all('[data-passkey]', (form) => form.addEventListener('submit', async (event) => {
    const answer = form.elements.credential;
    if (answer.value) return;
    event.preventDefault();
    if (!navigator.credentials || !window.PublicKeyCredential) {
      return failed(form, 'This browser knows no passkeys.');
    }
    try {
      const kind = form.dataset.passkey;
      const publicKey = read(kind, JSON.parse(form.dataset.options));
      answer.value = JSON.stringify(written(await navigator.credentials[kind]({ publicKey })));
      form.requestSubmit(event.submitter);
    } catch (error) {
      failed(form, reasons[error.name] ?? 'The browser could not use a passkey here.');
    }
  }));
}
