/**
 * Other certificates for other names (RFC 6066 3): `createSecureContext`, and how a server finds the one for a ClientHello.
 *
 * The surprising thing: a context here is chains and keys and nothing else. What else a server is configured with holds for all
 * its names, so that no session made under one policy meets another (CVE-2025-23419).
 */
import type { Credentials } from '../../handshake/settings.js';
import { credentialsOf, type IdentityOptions } from './options.js';

export interface SecureContext {
  readonly credentials: readonly Credentials[];
}

/** Reads chains and keys once, for `addContext` and `SNICallback`. Throws `UsageError` where they do not fit each other. */
export function createSecureContext(options: IdentityOptions): SecureContext {
  return Object.freeze({ credentials: credentialsOf(options) });
}

/** Contexts by name, the last one added first. */
export class SecureContexts {
  readonly #contexts: { readonly name: string; readonly context: SecureContext }[] = [];

  /** A wildcard is the whole left-most label: `*.example.com`. */
  add(name: string, context: SecureContext): void {
    this.#contexts.unshift({ name: name.toLowerCase(), context });
  }

  /** `serverName` is in lower case. */
  find(serverName: string): SecureContext | undefined {
    const parent = serverName.slice(serverName.indexOf('.'));
    return this.#contexts.find(({ name }) => name === serverName || (name.startsWith('*.') && name.slice(1) === parent))
      ?.context;
  }
}
