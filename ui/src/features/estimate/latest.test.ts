import { expect, test, vi } from 'vitest';
import { latest } from './latest';

function questions() {
  const open = new Map<string, (answer: string) => void>();
  const taken = vi.fn();
  const asking = latest((question: string) => new Promise<string>((resolve) => open.set(question, resolve)), taken);
  const answer = async (question: string): Promise<void> => {
    open.get(question)?.(`answer to ${question}`);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { asking, answer, taken };
}

test('the newest question is the one that is answered', async () => {
  const { asking, answer, taken } = questions();
  asking.ask('first');
  asking.ask('second');
  await answer('second');
  await answer('first');
  expect(taken.mock.calls).toEqual([['answer to second', 'second']]);
});

test('a stale answer that comes first is dropped too', async () => {
  const { asking, answer, taken } = questions();
  asking.ask('first');
  asking.ask('second');
  await answer('first');
  expect(taken).not.toHaveBeenCalled();
  await answer('second');
  expect(taken).toHaveBeenCalledOnce();
});

test('after a drop nothing is taken', async () => {
  const { asking, answer, taken } = questions();
  asking.ask('first');
  asking.drop();
  await answer('first');
  expect(taken).not.toHaveBeenCalled();
});
