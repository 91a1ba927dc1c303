// Writes docs/screens/README.md: all pictures, to leaf through.
import { readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../docs/screens/', import.meta.url));
const png = (folder) => readdirSync(folder).filter((name) => name.endsWith('.png')).sort();
const recorded = png(`${root}recorded`);
const real = png(root);

/** `overview-typical-1440x900-light.png` in its three parts. */
const parts = (file) => {
  const [, name, size, theme] = /^(.+)-(\d+x\d+|whole)-(light|dark)\.png$/.exec(file) ?? [];
  return { name, size, theme, file };
};
const pictures = recorded.map(parts);
const names = [...new Set(pictures.map(({ name }) => name))];
const SCREENS = ['overview', 'batches', 'estimate', 'buy', 'usage', 'settings', 'onboarding'];
const DATA = ['empty', 'typical', 'extreme'];
const main = SCREENS.flatMap((screen) => DATA.map((data) => `${screen}-${data}`)).filter((name) => names.includes(name));
const others = names.filter((name) => !main.includes(name));

const words = (name) => name.replaceAll('-', ' ');
const image = ({ name, size, theme, file }, width) => `<a href="recorded/${file}"><img src="recorded/${file}" width="${width}" alt="${words(name)}, ${theme}, ${size}"></a>`;
const of = (name, size, width) => pictures.filter((one) => one.name === name && (size === undefined || one.size === size)).sort((a, b) => b.theme.localeCompare(a.theme)).map((one) => image(one, width)).join(' ');

const lines = [
  '# Pictures of every screen',
  '',
  'Made from recorded views by `make screens-recorded`, with a clock that stands still; `make test` draws every screen again and compares. The pictures of the real window, made by',
  '`make screens`, stand at the end. Figures and names are made up.',
  '',
  ...SCREENS.flatMap((screen) => {
    const shown = main.filter((name) => name.startsWith(`${screen}-`));
    if (shown.length === 0) return [];
    return [
      `## ${screen[0].toUpperCase()}${screen.slice(1)}`,
      '',
      ...shown.flatMap((name) => [
        `### ${words(name)}`,
        '',
        of(name, '1440x900', 430),
        '',
        `${of(name, '1000x700', 320)} ${of(name, '420x800', 130)}`,
        '',
        ...(pictures.some((one) => one.name === name && one.size === 'whole') ? [`<details><summary>The whole page</summary>${of(name, 'whole', 600)}</details>`, ''] : []),
      ]),
    ];
  }),
  '## Other states',
  '',
  ...others.flatMap((name) => [`### ${words(name)}`, '', of(name, undefined, 430), '']),
  '## In the real window',
  '',
  ...real.map((file) => `<a href="${file}"><img src="${file}" width="320" alt="${words(file.replace('.png', ''))}"></a>`),
  '',
];
writeFileSync(`${root}README.md`, lines.join('\n'));
