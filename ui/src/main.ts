import './first.css';
import { backend } from './backend';
import { drawFirst, painted } from './first/frame';
import { knownView } from './first/known';

// The balance first; what draws everything else takes longer to be read than the balance to be known.
void Promise.resolve(knownView(document) ?? backend.snapshot())
  .then(async (view) => drawFirst(document, view) && (await painted()))
  .catch(() => false)
  .then(() => import('./start'));
