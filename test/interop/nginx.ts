/** `nginx` with a folder of its own, on a free loopback port, that answers with what it thinks of the connection. */
import { setTimeout as delay } from 'node:timers/promises';
import { authority, identities } from '../support/identities.js';
import { freePort, type Peer } from '../support/peers.js';
import { startInFolder, type FleetServer } from './fleet/rig.js';

export interface Nginx extends FleetServer {
  /** Replaces a file of its configuration, to be read with the next {@link reload}. */
  replaceFile(file: string, content: Uint8Array): void;
  /** Makes it read its files again, and waits for the worker that has. */
  reload(): Promise<void>;
}

/** What a page of it says. */
export interface NginxView {
  readonly protocol: string;
  readonly cipher: string;
  /** `r` or `.`. */
  readonly reused: string;
  /** `1` while the request came as early data. */
  readonly earlyData: string;
  /** `SUCCESS`, or `NONE` where no certificate was shown. */
  readonly verified: string;
}

/** `directives` go into its server block and may name `files`; `otherServers` get its port, and come after that block. */
export async function startNginx(
  { path }: Peer,
  directives = '',
  files: Readonly<Record<string, string | Uint8Array>> = {},
  otherServers: (port: number) => string = () => '',
): Promise<Nginx> {
  const port = await freePort();
  const server = await startInFolder({
    files: {
      'cert.pem': identities.ecdsa.cert,
      'cert.key': identities.ecdsa.key,
      'ca.pem': authority.cert,
      'nginx.conf': configuration(port, directives, otherServers(port)),
      ...files,
    },
    command: path,
    arguments: (folder) => ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'],
    port,
    ready: workersStarted,
  });
  return {
    name: 'nginx',
    resumedWord: 'r',
    fullWord: '.',
    ...server,
    async reload() {
      const before = server.output().length;
      process.kill(server.pid, 'SIGHUP');
      for (let i = 0; !workersStarted.test(server.output().slice(before)); i++) {
        if (i === 1000) throw new Error(`nginx does not reload:\n${server.output().slice(before)}`);
        await delay(10);
      }
    },
  };
}

const workersStarted = /start worker process \d+$/m;

/** A location's answer. */
export const page = `{"protocol":"$ssl_protocol","cipher":"$ssl_cipher","reused":"$ssl_session_reused","earlyData":"$ssl_early_data","verified":"$ssl_client_verify"}`;

const configuration = (port: number, directives: string, otherServers: string) => `
daemon off;
pid nginx.pid;
error_log stderr notice;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    server_name example.test;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate cert.pem;
    ssl_certificate_key cert.key;
    ssl_session_cache shared:tls:1m;
    ${directives}
    location / { return 200 '${page}'; }
  }
  ${otherServers}
}
`;
