// Two ways of using a page: with a mouse, and with nothing but a keyboard. A journey is written once and takes either.
// The keyboard never clicks and never sets the focus: it presses Tab until it is where it wants to be.
import assert from 'node:assert/strict';

const farthest = 60;

class Hand {
  /** `script`: whether the page may run its scripts. */
  constructor(page, { script = true } = {}) {
    this.page = page;
    this.script = script;
  }

  /** Presses a link or button that leads to another page, and waits for that page. */
  go(target) {
    return this.following(() => this.press(target));
  }

  /** Sends the form by Enter in its field. */
  async enter(field, text) {
    await this.type(field, text);
    await this.following(() => this.page.keyboard.press('Enter'));
  }

  async following(act) {
    const moved = this.page.waitForEvent('framenavigated', (frame) => frame === this.page.mainFrame());
    await Promise.all([moved, act()]);
    await this.page.waitForLoadState();
  }
}

export class Mouse extends Hand {
  press(target) {
    return target.click();
  }

  async type(field, text) {
    if (await isSelect(field)) await field.selectOption({ label: text });
    else await field.fill(text);
  }

  tick(box) {
    return box.check();
  }

  choose(_field, option) {
    return option.click();
  }
}

export class Keyboard extends Hand {
  async press(target) {
    await this.reach(target);
    await this.page.keyboard.press('Enter');
  }

  async type(field, text) {
    await this.reach(field);
    if (await isSelect(field)) return this.page.keyboard.type(text);
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.type(text);
    assert.equal(await field.inputValue(), text);
  }

  async tick(box) {
    await this.reach(box);
    for (let key = 0; key < 10 && !(await box.evaluate(isActive)); key++) await this.page.keyboard.press('ArrowDown');
    if (!(await box.isChecked())) await this.page.keyboard.press('Space');
    assert.ok(await box.isChecked());
  }

  /** Goes down a list box to the option, as its combobox tells assistive technology, and takes it. */
  async choose(field, option) {
    for (let key = 0; key < farthest; key++) {
      await this.page.keyboard.press('ArrowDown');
      const at = await field.getAttribute('aria-activedescendant');
      if (at && at === (await option.getAttribute('id'))) return this.page.keyboard.press('Enter');
    }
    assert.fail('the arrow keys do not lead to the option');
  }

  async reach(target) {
    await target.waitFor();
    for (let stop = 0; stop <= farthest; stop++) {
      if (await target.evaluate(isActiveOrItsRadioGroup)) return;
      await this.page.keyboard.press('Tab');
    }
    assert.fail(`not reached by ${farthest} presses of Tab: ${target}`);
  }
}

const isSelect = (field) => field.evaluate((element) => element instanceof HTMLSelectElement);
const isActive = (element) => element === document.activeElement;
const isActiveOrItsRadioGroup = (element) => {
  const active = document.activeElement;
  return active === element || (element.type === 'radio' && active.type === 'radio' && active.name === element.name);
};
