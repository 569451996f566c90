/**
 * What a server's handshakes ask of its listeners, in the callback manner of `node:tls`: `newSession` and `resumeSession` are the
 * session store while somebody listens to them, `SNICallback` chooses the certificate, `OCSPRequest` finds what is stapled to it.
 */
import type { EventEmitter } from 'node:events';
import { defaultAnswers } from '../../connection/answers.js';
import type { MaybePromise } from '../../crypto/backend.js';
import { AlertError } from '../../errors.js';
import type { Needs } from '../../handshake/needs.js';
import { sessionBuffer } from './session-buffer.js';
import type { ServerEvents } from './server-events.js';
import type { SecureContext } from './identity.js';
import type { ServerOptions } from './server-options.js';

type Answer<K extends keyof Needs> = MaybePromise<Needs[K]['answer']>;

/** An error of the listener fails the handshake, unlike one of a store. */
export function findSession(server: EventEmitter, question: Needs['find_session']['question']): Answer<'find_session'> {
  if (server.listenerCount('resumeSession') === 0) return defaultAnswers.find_session(question);
  return new Promise((resolve, reject) => {
    // Copied: a listener may hand out the very bytes that it keeps.
    const parameters: ServerEvents['resumeSession'] = [
      Buffer.from(question.key),
      (error, session) => {
        if (error) reject(error);
        else resolve({ state: session ? Uint8Array.from(session) : undefined });
      },
    ];
    server.emit('resumeSession', ...parameters);
  });
}

/** Listeners keep what they are asked for: where a ticket has to be good for one connection, the store is asked instead. */
export function takeSession(
  server: EventEmitter,
  question: Needs['take_session']['question'],
  singleUse: boolean,
): Answer<'take_session'> {
  return singleUse || server.listenerCount('resumeSession') === 0
    ? defaultAnswers.take_session(question)
    : findSession(server, question);
}

export function storeSession(
  server: EventEmitter,
  question: Needs['store_session']['question'],
): Answer<'store_session'> {
  if (server.listenerCount('newSession') === 0) return defaultAnswers.store_session(question);
  return new Promise((resolve) => {
    const done = () => {
      resolve(true);
    };
    const parameters: ServerEvents['newSession'] = [Buffer.from(question.key), sessionBuffer(question.state), done];
    server.emit('newSession', ...parameters);
  });
}

export function findOcspResponse(
  server: EventEmitter,
  question: Needs['find_ocsp_response']['question'],
): Answer<'find_ocsp_response'> {
  const [certificate, issuer] = question.credentials.certificates;
  if (server.listenerCount('OCSPRequest') === 0 || certificate === undefined)
    return defaultAnswers.find_ocsp_response(question);
  return new Promise((resolve, reject) => {
    const parameters: ServerEvents['OCSPRequest'] = [
      Buffer.from(certificate),
      issuer === undefined ? null : Buffer.from(issuer),
      (error, response) => {
        if (error) reject(error);
        else resolve(response ?? undefined);
      },
    ];
    server.emit('OCSPRequest', ...parameters);
  });
}

/** RFC 6066 3: an error is unrecognized_name. */
export function askForContext(
  callback: NonNullable<ServerOptions['SNICallback']>,
  serverName: string,
): Promise<SecureContext | undefined> {
  return new Promise((resolve, reject) => {
    callback(serverName, (error, context) => {
      if (error) reject(new AlertError('unrecognized_name', `SNICallback refused ${serverName}`, { cause: error }));
      else resolve(context);
    });
  });
}
