// Compiles messages/ into typed functions, from the plugin in node_modules: no network. The product's are under src/i18n/generated; the
// recorded backend and the tests have their own, with two made-up languages: en-XA is longer than English and in brackets, ar-XB is the same
// written from right to left.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from '@inlang/paraglide-js';
import { mapMessages, pseudo } from './pseudo.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const settings = JSON.parse(readFileSync(`${root}/project.inlang/settings.json`, 'utf8'));
const format = settings['plugin.inlang.messageFormat'];
const listed = format.pathPattern.map((path) => path.split('/').at(-1));
const read = (locale, file) => {
  try {
    return JSON.parse(readFileSync(`${root}/messages/${locale}/${file}`, 'utf8'));
  } catch (fault) {
    if (locale !== settings.baseLocale && fault.code === 'ENOENT') return {};
    throw fault;
  }
};

const owners = new Map();
let faults = 0;
const fault = (text) => {
  console.error(text);
  faults += 1;
};
for (const file of readdirSync(`${root}/messages/${settings.baseLocale}`).sort()) {
  if (!listed.includes(file)) fault(`messages/${settings.baseLocale}/${file} is not listed in project.inlang/settings.json`);
  for (const key of Object.keys(read(settings.baseLocale, file))) {
    if (key === '$schema') continue;
    if (owners.has(key)) fault(`message ${key} is in ${owners.get(key)} and in ${file}`);
    owners.set(key, file);
  }
}
if (faults > 0) process.exit(1);

// What is not translated yet is said in the first language.
for (const locale of settings.locales.filter((one) => one !== settings.baseLocale)) {
  const there = new Set(listed.flatMap((file) => Object.keys(read(locale, file))));
  const missing = [...owners].filter(([key]) => !there.has(key));
  if (missing.length > 0) console.warn(`${locale} lacks ${missing.length} messages:\n${missing.map(([key, file]) => `  ${file} ${key}`).join('\n')}`);
}

const recorded = `${root}/recorded/generated`;
rmSync(`${recorded}/messages`, { recursive: true, force: true });
const locales = [...settings.locales, 'en-XA', 'ar-XB'];
for (const locale of locales) {
  mkdirSync(`${recorded}/messages/${locale}`, { recursive: true });
  for (const file of listed) {
    const messages = settings.locales.includes(locale) ? read(locale, file) : mapMessages(read(settings.baseLocale, file), pseudo);
    writeFileSync(`${recorded}/messages/${locale}/${file}`, JSON.stringify(messages));
  }
}
mkdirSync(`${recorded}/project.inlang`, { recursive: true });
writeFileSync(
  `${recorded}/project.inlang/settings.json`,
  JSON.stringify({ ...settings, locales, modules: settings.modules.map((path) => path.replace('./', '../../')) }),
);

// Refusals are said by their code. Looking one up among all messages would put every message into the first thing that the window loads.
const errors = `/* eslint-disable */\nexport { ${[...owners.keys()].filter((key) => owners.get(key) === 'errors.json').join(', ')} } from './messages/_index.js';\n`;

for (const [project, outdir] of [
  [`${root}/project.inlang`, `${root}/src/i18n/generated`],
  [`${recorded}/project.inlang`, `${recorded}/compiled`],
]) {
  await compile({ project, outdir, strategy: ['baseLocale'], isServer: 'false', emitReadme: false, emitPrettierIgnore: false, emitGitIgnore: false });
  writeFileSync(`${outdir}/errors.js`, errors);
}
// The compiler leaves a timer behind that would keep the process for half a minute.
process.exit(0);
