/** Plain Chromium on the recorded backend. */
import type { Page } from '@playwright/test';
import { NOW } from '../../recorded/model';
import type { Driver, Start } from './driver';

export async function chromium(page: Page): Promise<Driver> {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.clock.setFixedTime(NOW);
  return {
    open: async (start: Start) => void (await page.goto(`${process.env['RECORDED_ORIGIN']}/?state=${start}`)),
    run: (script, argument) => page.evaluate(script as (argument: unknown) => never, argument as unknown),
    load: (source) => page.evaluate(source),
    click: (selector, nth) => page.locator(selector).nth(nth).click(),
    press: (keys) => page.keyboard.press(keys.join('+')),
    type: (text) => page.keyboard.type(text),
    size: (width, height) => page.setViewportSize({ width, height }),
    faults: () => Promise.resolve(faults),
  };
}
