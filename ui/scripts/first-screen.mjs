// What JavaScript the first screen needs, compressed: a table for `make bench-app`. usage: first-screen.mjs [dist]
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const GOAL_KB = 120;
const dist = process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url));
const assets = `${dist}/assets`;

const page = readFileSync(`${dist}/index.html`, 'utf8');
const named = [...page.matchAll(/(?:src|href)="\/assets\/([^"]+\.js)"/g)].map((found) => found[1]);
const overview = readdirSync(assets).filter((name) => /^OverviewScreen-.*\.js$/.test(name));
if (named.length === 0 || overview.length !== 1) throw new Error('the built pages are not as expected: npm run build');

// Only what is imported as a whole; import() waits until it is asked for.
const needed = new Set();
const follow = (name) => {
  if (needed.has(name)) return;
  needed.add(name);
  const source = readFileSync(`${assets}/${name}`, 'utf8');
  for (const [, next] of source.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) follow(next);
};
[...named, ...overview].forEach(follow);

const sizes = [...needed].map((name) => {
  const source = readFileSync(`${assets}/${name}`);
  return { name: name.replace(/-[\w-]{8}\.js$/, ''), raw: source.length, packed: gzipSync(source, { level: 9 }).length };
});
sizes.sort((a, b) => b.packed - a.packed);
const kb = (bytes) => (bytes / 1000).toFixed(1);
const total = (which) => sizes.reduce((sum, size) => sum + size[which], 0);
const shown = sizes.slice(0, 6);
const rest = sizes.slice(6);

console.log('| file | kB | gzip, kB |\n|---|---:|---:|');
for (const { name, raw, packed } of shown) console.log(`| ${name} | ${kb(raw)} | ${kb(packed)} |`);
if (rest.length > 0) {
  const sum = (which) => rest.reduce((all, size) => all + size[which], 0);
  console.log(`| ${rest.length} more | ${kb(sum('raw'))} | ${kb(sum('packed'))} |`);
}
console.log(`| all | ${kb(total('raw'))} | **${kb(total('packed'))}** |`);
console.log(`\nGoal ${GOAL_KB} kB: ${total('packed') <= GOAL_KB * 1000 ? 'met' : 'missed'}.`);
