import type { Backend } from './backend';
import { commands, events } from './bindings';

export const implementation: Backend = {
  ...commands,
  onAppChanged: (listener) => events.appChanged.listen((event) => listener(event.payload)),
};
