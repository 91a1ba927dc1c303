import { figure } from './figures';
import { expect, id, test } from './stage';

test('a wrong key is refused in words, estimating needs no account, and looking around opens one', async ({ stage }) => {
  await stage.open('signed-out');
  await stage.passesAxe();
  await stage.click(id('onboarding-sign-in'));
  await stage.hasFocus(id('sign-in-key'));
  await stage.type('short');
  await stage.press('Enter');
  await stage.says(() => stage.attribute(id('error-banner'), 'data-code')).toBe('key_malformed');
  expect(await stage.attribute(id('sign-in-key'), 'aria-invalid')).toBe('true');
  await stage.passesAxe();
  await stage.click(id('onboarding-sign-in'));
  await stage.gone(id('sign-in-key'));
  await stage.click(id('onboarding-sign-in'));
  expect(await stage.value(id('sign-in-key'))).toBe('');

  await stage.click(id('onboarding-estimate'));
  await stage.isAt('estimate');
  expect(figure(await stage.text(id('estimate-total')))).toBeGreaterThan(0n);
  await stage.there(id('no-draw'));
  await stage.gone(id('keep-estimate'));
  await stage.passesAxe();

  await stage.open('signed-out');
  await stage.tabTo(id('onboarding-look-around'));
  await stage.press('Enter');
  await stage.isAt('overview');
  expect(figure(await stage.text(id('balance')))).toBeGreaterThan(0n);
  await stage.there(id('tour-offer'));
});
