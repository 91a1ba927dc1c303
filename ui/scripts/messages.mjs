// Compiles messages/ into typed functions under src/i18n/generated, from the plugin in node_modules: no network.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from '@inlang/paraglide-js';

const root = fileURLToPath(new URL('..', import.meta.url));
const settings = JSON.parse(readFileSync(`${root}/project.inlang/settings.json`, 'utf8'));
const listed = settings['plugin.inlang.messageFormat'].pathPattern.map((path) => path.split('/').at(-1));
const folder = `${root}/messages/en`;
const owners = new Map();
let faults = 0;
for (const file of readdirSync(folder).sort()) {
  if (!listed.includes(file)) {
    console.error(`messages/en/${file} is not listed in project.inlang/settings.json`);
    faults += 1;
  }
  for (const key of Object.keys(JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')))) {
    if (key === '$schema') continue;
    if (owners.has(key)) {
      console.error(`message ${key} is in ${owners.get(key)} and in ${file}`);
      faults += 1;
    }
    owners.set(key, file);
  }
}
if (faults > 0) process.exit(1);

await compile({
  project: `${root}/project.inlang`,
  outdir: `${root}/src/i18n/generated`,
  strategy: ['baseLocale'],
  isServer: 'false',
  emitReadme: false,
  emitPrettierIgnore: false,
  emitGitIgnore: false,
});
// The compiler leaves a timer behind that would keep the process for half a minute.
process.exit(0);
