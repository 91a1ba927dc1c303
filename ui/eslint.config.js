import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Money is a decimal string; a float would round it. */
const noFloatMoney = [
  { selector: "CallExpression[callee.name='Number']", message: 'Money is a string: use src/format.' },
  { selector: "CallExpression[callee.name='parseFloat']", message: 'Money is a string: use src/format.' },
  { selector: "MemberExpression[object.name='Number'][property.name=/^(parseFloat|parseInt)$/]", message: 'Money is a string: use src/format.' },
  { selector: "CallExpression[callee.property.name='toFixed']", message: 'Rounds in binary: use src/format.' },
];

/** A message whose name is put together keeps every message in the first file that the window loads. */
const messagesByName = [
  { selector: "MemberExpression[object.name='m'][computed=true]", message: 'Name the message, or list the ones that are meant.' },
  { selector: "TSAsExpression[expression.name='m'], TSAsExpression[expression.expression.name='m']", message: 'Name the message, or list the ones that are meant.' },
];

/** Only src/backend knows that there is a Tauri. */
const tauriOnlyInBackend = { patterns: [{ group: ['@tauri-apps/*'], message: 'Only src/backend imports @tauri-apps.' }] };

export default ts.config(
  { ignores: ['dist/', 'dist-recorded/', 'src/i18n/generated/', 'recorded/generated/', 'src/backend/bindings.ts', 'project.inlang/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    rules: {
      'no-console': 'error',
      'no-restricted-imports': ['error', tauriOnlyInBackend],
      'no-restricted-syntax': ['error', ...noFloatMoney, ...messagesByName],
      '@typescript-eslint/consistent-type-imports': 'error',
      'svelte/no-at-html-tags': 'error',
      'svelte/no-inline-styles': 'error',
    },
  },
  { files: ['src/backend/**'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['src/format/**', 'recorded/**'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['scripts/**', 'tests/**', 'e2e/**'], rules: { 'no-console': 'off', 'no-restricted-syntax': 'off' } },
);
