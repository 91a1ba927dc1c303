/** The pages in plain Chromium, served by the recorded backend under the app's own policy. */
import { defineConfig } from '@playwright/test';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: 'e2e',
  outputDir: '../out/e2e',
  fullyParallel: true,
  forbidOnly: true,
  workers: 2,
  timeout: 120_000,
  expect: {
    timeout: 10_000,
    // The same words drawn by another build of the browser pass; another word does not.
    toHaveScreenshot: { threshold: 0.2, maxDiffPixels: 120, animations: 'disabled', caret: 'hide', scale: 'css' },
  },
  snapshotPathTemplate: '../docs/screens/recorded/{arg}{ext}',
  reporter: process.env['CI_JSON'] === undefined ? [['line']] : [['line'], ['json', { outputFile: process.env['CI_JSON'] }]],
  globalSetup: './e2e/serve.ts',
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none', '--force-color-profile=srgb', '--disable-lcd-text'],
    },
    viewport: { width: 1000, height: 700 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    contextOptions: { reducedMotion: 'reduce' },
    trace: 'off',
  },
});
