/** Other certificates for other names (RFC 6066 3): how a server finds the one for a ClientHello. */
import type { SecureContext } from './identity.js';

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
