/**
 * Connections whose answers come late, fail, or never come, while bytes keep arriving and owners end them: nothing is rejected without
 * a handler, nothing waits without a limit, and the end is told once. Here an internal error may be our own.
 */
import { defaultAnswers } from '../../../src/connection/answers.js';
import type { Answers } from '../../../src/handshake/needs.js';
import { otherSide, sides } from '../../support/replay.js';
import { allFlows, earlyDataOf } from '../flows.js';
import { Decisions, rule, seed, type FuzzTarget } from '../target.js';
import { dataOf, expectAgreement, expectSent, listen, orderly, watchedEnd, type WatchedEnd } from '../watched.js';

const maxBufferedLength = 2000;

/** How the n-th answer of an end is given. */
const manners = ['value', 'value', 'value', 'promise', 'late', 'later', 'throws', 'rejects', 'never'] as const;

/** The answers of one end, spoilt; `spoilt` is called when one fails. */
function spoiltAnswers(plan: Uint8Array, spoilt: () => void): Answers {
  let asked = 0;
  const spoil = (answer: (question: never) => unknown) => (question: never) => {
    const manner = manners[(plan[asked++] ?? 0) % manners.length];
    switch (manner) {
      case 'promise':
        return Promise.resolve(answer(question));
      case 'late':
      case 'later':
        return new Promise((resolve) => {
          setImmediate(() =>
            manner === 'late' ? resolve(answer(question)) : setImmediate(() => resolve(answer(question))),
          );
        });
      case 'throws':
        spoilt();
        throw new Error('no answer');
      case 'rejects':
        spoilt();
        return Promise.reject(new Error('no answer'));
      case 'never':
        return new Promise(() => undefined);
      default:
        return answer(question);
    }
  };
  return Object.fromEntries(
    Object.entries(defaultAnswers).map(([need, answer]) => [need, spoil(answer as (question: never) => unknown)]),
  ) as unknown as Answers;
}

async function answers(data: Uint8Array): Promise<void> {
  const decisions = new Decisions(data);
  const flow = decisions.pick(allFlows);
  const spoilt = { client: false, server: false };
  const made = sides.map((side) => {
    const plan = decisions.bytes();
    const own = { answers: spoiltAnswers(plan, () => (spoilt[side] = true)), limits: { maxBufferedLength } };
    return watchedEnd(flow, side, { ...own, named: 'async' });
  });
  const [client, server] = [made[0]!, made[1]!];
  const ends = { client, server };
  const allowance = client.connection.earlyDataAllowance;
  if (allowance > 0) client.connection.writeEarlyData(earlyDataOf(flow).subarray(0, allowance));

  const pass = async (turns: number) => {
    for (let turn = 0; turn < turns; turn++) {
      for (const side of sides) ends[otherSide(side)].connection.receive(listen(ends[side]));
      if (client.connection.waiting || server.connection.waiting) await new Promise(setImmediate);
    }
  };
  await pass(1);
  for (let left = 6; left > 0 && !decisions.ended; left--) {
    const end = ends[decisions.pick(sides)];
    const action = decisions.below(7);
    if (action === 0) end.connection.destroy();
    else if (action === 1) end.connection.close();
    else if (action === 2) end.connection.receiveEnd();
    else if (action === 3) flood(end, decisions.byte());
    else if (action === 4 && end.connection.state === 'open' && end.alerts.length === 0)
      end.connection.write(decisions.bytes());
    else if (action === 5) end.connection.receive(decisions.bytes());
    else await pass(1 + decisions.below(4));
  }
  await pass(6);
  for (const side of sides) {
    orderly(ends[side], { ownFault: spoilt[side] });
    expectSent(dataOf(ends[side]), ends[otherSide(side)].sent);
  }
  expectAgreement(client, server);
  for (const { connection } of made) connection.destroy();
}

/** While an answer is awaited no more is kept than the limit says. */
function flood({ connection }: WatchedEnd, value: number): void {
  if (!connection.waiting) return;
  for (let sent = 0; sent <= maxBufferedLength; sent += 256) connection.receive(new Uint8Array(256).fill(value));
  rule(connection.state === 'closed', 'what comes while an answer is awaited has no limit');
}

export const answerTarget: FuzzTarget = {
  name: 'answers',
  seeds: () =>
    allFlows.flatMap((_, flow) => [
      seed([flow, 0, 0, 5]),
      seed([flow, 8, 3, 3, 3, 3, 3, 3, 3, 3, 8, 3, 3, 3, 3, 3, 3, 3, 3, 1, 4, 3, 1, 2, 3]),
      seed([flow, 6, 4, 5, 4, 5, 4, 5, 6, 4, 5, 4, 5, 4, 5, 0, 3, 1]),
      seed([flow, 3, 0, 0, 8, 4, 0, 3, 8, 8, 1, 5, 1, 3, 1, 0, 1]),
      seed([flow, 3, 0, 7, 6, 3, 6, 7, 0, 1, 5, 0, 0]),
      // One answer fails, and then the connection does.
      ...[1, 2, 3, 4, 5].map((asked) =>
        seed([flow, 0, 1 + asked, ...new Array<number>(asked).fill(0), 7, 1, 6, 1, 1, 5, 5, 99, 3, 3, 0, 0, 0, 6, 1]),
      ),
    ]),
  run: answers,
};
