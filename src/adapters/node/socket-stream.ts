/**
 * What a TLS socket passes on of the socket below it: addresses and settings of the TCP connection, under the names of `net.Socket`.
 *
 * Over a stream that is no TCP socket the addresses are `undefined` and the settings do nothing, but for the timer.
 */
import { Socket, type AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';

/** How long a peer that has been told the end may take to close its side, milliseconds. */
export const lingerTimeout = 2_000;

/** Bytes that may wait to be written before `write` says to wait: records that leave together cost fewer calls of the system. */
const writableHighWaterMark = 64 * 1024;

export abstract class SocketStream extends Duplex {
  protected readonly transport: Duplex;

  constructor(transport: Duplex, allowHalfOpen: boolean) {
    super({ allowHalfOpen, writableHighWaterMark });
    this.transport = transport;
    transport.on('timeout', () => this.emit('timeout'));
  }

  get connecting(): boolean {
    return this.#socket?.connecting ?? false;
  }

  get remoteAddress(): string | undefined {
    return this.#socket?.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket?.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.#socket?.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.#socket?.localAddress;
  }

  get localPort(): number | undefined {
    return this.#socket?.localPort;
  }

  /** Bytes on the wire, those of TLS included. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return this.#socket?.bytesWritten ?? 0;
  }

  address(): AddressInfo | object {
    return this.#socket?.address() ?? {};
  }

  setNoDelay(noDelay = true): this {
    this.#socket?.setNoDelay(noDelay);
    return this;
  }

  setKeepAlive(enable = false, initialDelay = 0): this {
    this.#socket?.setKeepAlive(enable, initialDelay);
    return this;
  }

  /** Emits `timeout` after so many milliseconds without a byte in or out; 0 switches it off. Nothing is closed by it. */
  setTimeout(timeout: number, callback?: () => void): this {
    this.#socket?.setTimeout(timeout);
    if (callback !== undefined) this.once('timeout', callback);
    return this;
  }

  ref(): this {
    this.#socket?.ref();
    return this;
  }

  unref(): this {
    this.#socket?.unref();
    return this;
  }

  /**
   * Lets go of the transport in such a way that the last bytes, an alert perhaps, still arrive: a TCP socket that is closed
   * with unread data sends a reset, and a reset makes the peer drop what it has not read yet. So our side ends, what still
   * comes is dropped, and the transport is destroyed when the peer has closed or {@link lingerTimeout} is over.
   */
  protected lingerAndDestroy(): void {
    const { transport } = this;
    if (transport.destroyed) return;
    const destroy = () => void transport.destroy();
    const timer = setTimeout(destroy, lingerTimeout);
    transport.once('close', () => {
      clearTimeout(timer);
    });
    transport.once('error', destroy);
    transport.end();
    if (transport.readableEnded) transport.once('finish', destroy);
    else transport.once('end', destroy).resume();
  }

  get #socket(): Socket | undefined {
    return this.transport instanceof Socket ? this.transport : undefined;
  }
}
