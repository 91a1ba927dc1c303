/** The only door to Rust. Everything behind it is typed by the generated bindings. */
import { implementation } from '#backend-implementation';
import type { Backend } from './backend';

export type { Backend, Result } from './backend';
export type * from './bindings';

export const backend: Backend = implementation;
