import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What the page begins with: nothing is painted before it has run, or the first frame would be an empty one. */
const ENTRY = '<script type="module"';
/** What the first screen needs beside what its page names: fetched with the page, not when a style or a script asks for it. */
const FIRST: [RegExp, Record<string, string>][] = [
  [/^assets\/inter-latin-opsz-normal-.*\.woff2$/, { rel: 'preload', as: 'font', type: 'font/woff2' }],
  [/^assets\/start-.*\.css$/, { rel: 'preload', as: 'style' }],
  [/^assets\/start-.*\.js$/, { rel: 'modulepreload' }],
  [/^assets\/OverviewScreen-.*\.js$/, { rel: 'modulepreload' }],
  [/^assets\/Terrace-.*\.js$/, { rel: 'modulepreload' }],
];

function fetchFirst(): Plugin {
  return {
    name: 'fetch-first',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(page, { bundle }) {
        const built = Object.keys(bundle ?? {});
        if (page.split(ENTRY).length !== 2) throw new Error('the page begins with more or less than one script');
        const tags = FIRST.map(([file, kind]) => {
          const found = built.find((name) => file.test(name));
          if (found === undefined) throw new Error(`the build has no file like ${file.source}`);
          return { tag: 'link', attrs: { ...kind, crossorigin: true, href: `/${found}` }, injectTo: 'head' as const };
        });
        return { html: page.replace(ENTRY, `${ENTRY} blocking="render"`), tags };
      },
    },
  };
}

/** The product talks to Tauri; recorded mode and the tests are served from files. */
export default defineConfig(({ mode }) => {
  const recorded = mode === 'recorded' || mode === 'test';
  return {
    plugins: [svelte(), svelteTesting(), fetchFirst()],
    resolve: {
      alias: {
        '#backend-implementation': recorded ? at('recorded/backend.ts') : at('src/backend/tauri.ts'),
        '#messages/errors': recorded ? at('recorded/generated/compiled/errors.js') : at('src/i18n/generated/errors.js'),
        '#messages/runtime': recorded ? at('recorded/generated/compiled/runtime.js') : at('src/i18n/generated/runtime.js'),
        '#messages': recorded ? at('recorded/generated/compiled/messages.js') : at('src/i18n/generated/messages.js'),
      },
    },
    build: {
      target: ['es2022', 'safari16.4'],
      // light-dark() and oklch() are there in every web view this runs in; lowering them would freeze the theme.
      cssTarget: 'safari18',
      modulePreload: { polyfill: false },
      // The policy allows no data: images.
      assetsInlineLimit: 0,
      emptyOutDir: true,
    },
    server: { host: '127.0.0.1', port: 1420, strictPort: false },
    test: {
      environment: 'happy-dom',
      include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
      setupFiles: ['tests/setup.ts'],
      restoreMocks: true,
      // The first screen of a file is compiled within its first test.
      testTimeout: 60_000,
    },
  };
});
