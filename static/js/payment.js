/* payment: the provider's own card fields in form[data-payment], and what its script says came of them. The form is
   sent only when the provider has it; the server asks the provider again and believes nothing said here. */
{
  const form = document.querySelector('form[data-payment]');
  if (form) {
    const { payment, key, secret, holder, email, done } = form.dataset;
    const wrong = form.querySelector('[data-wrong]');
    const button = form.querySelector('button.primary');
    const say = (words) => { wrong.textContent = words; wrong.hidden = !words; };
    let stripe, card;
    const start = () => {
      if (done !== undefined) return;
      if (!window.Stripe) return say('The payment provider’s fields could not be loaded. Try again, or pay by invoice.');
      stripe = window.Stripe(key);
      if (payment !== 'card') return;
      const place = form.querySelector('[data-mount]');
      const { color, fontSize } = getComputedStyle(place);
      card = stripe.elements().create('card', { hidePostalCode: true, style: { base: { color, iconColor: color, fontSize } } });
      card.mount(place);
    };
    const details = () => ({ name: form.elements.holder?.value || holder, email });
    const bank = async () => {
      const type = form.elements.holderType.value;
      const params = {
        payment_method_type: 'us_bank_account',
        payment_method_data: { billing_details: details(), us_bank_account: { account_holder_type: type } },
      };
      const entered = await stripe.collectBankAccountForSetup({ clientSecret: secret, params });
      if (entered.error || entered.setupIntent.status !== 'requires_confirmation') return entered;
      return stripe.confirmUsBankAccountSetup(secret);
    };
    const enter = () => (payment === 'card'
      ? stripe.confirmCardSetup(secret, { payment_method: { card, billing_details: details() } })
      : bank());
    const missing = () => payment === 'bank' && (!form.elements.holderType.value || !form.elements.permission.checked);
    let under = false;
    form.addEventListener('submit', async (event) => {
      if (done !== undefined || missing()) return;
      event.preventDefault();
      if (!stripe || under) return;
      under = true;
      say('');
      ui.say('Asking the payment provider');
      button.setAttribute('aria-disabled', 'true');
      const answer = await enter().catch(() => ({ error: {} }));
      if (!answer.error) return form.submit();
      under = false;
      button.removeAttribute('aria-disabled');
      say(answer.error.message || 'The payment provider does not answer. Nothing was charged; try again.');
    });
    addEventListener('load', start);
  }
}
