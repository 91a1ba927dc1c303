export { MASK } from './figure';
export * from './list';
export * from './number';
export * from './plural';
export * from './privacy.svelte';
export * from './time';
