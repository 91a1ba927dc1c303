/** The specs of the main flows in the app's real window: whoever runs them gives the driver's address and the session in the environment. */
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'e2e/main',
  outputDir: '../out/e2e-window',
  forbidOnly: true,
  // There is one window.
  workers: 1,
  timeout: 240_000,
  reporter: [['list']],

});
