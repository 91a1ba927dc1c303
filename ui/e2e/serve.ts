/** Serves the recorded build for the whole run; the tests find it by the environment. */
import { serve } from '../scripts/serve.mjs';

export default async function globalSetup(): Promise<() => void> {
  const { origin, close } = await serve();
  process.env['RECORDED_ORIGIN'] = origin;
  return () => void close();
}
