/**
 * The options of the command, each with what it means; `commander` parses them, checks them and prints the help.
 */
import { Command, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { keyFileLayouts } from '../tickets/key-files/layouts.js';
import type { ConnectFlags, ServeFlags } from './flags.js';
import * as values from './values.js';

/** RFC 8446 4.6.1: 7 days, in seconds. */
const longestLifetime = 604_800;

export const program = new Command()
  .name('tls-resume')
  .description(
    'TLS 1.2 and 1.3 with session resumption in front: serve and connect, and see why a session was resumed or not.',
  )
  .version(manifest.version)
  .showSuggestionAfterError(false)
  .configureOutput({
    // One line for each error, and no other.
    outputError: (text, write) => {
      write(
        `tls-resume: ${text
          .replace(/^error: /, '')
          .trim()
          .replace(/\s*\n\s*/g, ' ')}\n`,
      );
    },
  });

/** Without those of which no key may seal: a master whose keys follow from the clock, and a key without a secret for the MAC. */
const sealingLayouts = Object.keys(keyFileLayouts).filter((name) => name !== 'gnutls64' && name !== 'apache48-ossl3');

const option = (flags: string, description: string) => new Option(flags, description);
const shared = {
  min: () => option('--min-version <version>', 'TLSv1.2 or TLSv1.3').argParser(values.version),
  max: () => option('--max-version <version>', 'TLSv1.2 or TLSv1.3').argParser(values.version),
  groups: () =>
    option('--groups <list>', 'groups, most preferred first, such as X25519,P-256').argParser(values.groups),
  psk: () =>
    option('--psk <id:hex>', 'external pre-shared key for both versions, used without importer').argParser(values.psk),
  crypto: () => option('--crypto <backend>', 'who computes').choices(['node', 'noble']).default('node'),
  keylog: () => option('--keylog <file>', 'append the secrets of all connections, for Wireshark'),
  json: () => option('--json', 'one JSON line for each connection on standard output'),
};

program
  .command('serve')
  .description('Accept connections until SIGTERM or SIGINT, which let those that are open end first.')
  .addOption(
    option('--port <n>', 'TCP port; 0 takes a free one').argParser(values.wholeNumber(0, 65_535)).default(4433),
  )
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .addOption(
    option(
      '--cert <file>',
      'certificate chain in PEM, leaf first; may be given again for another kind of key; not needed with --psk',
    ).argParser(values.collect(String)),
  )
  .addOption(
    option('--key <file>', 'its private key in PEM (default: in the file of --cert)').argParser(values.collect(String)),
  )
  .addOption(shared.min())
  .addOption(shared.max())
  .addOption(
    option(
      '--ciphers <list>',
      'cipher suites of both versions, most preferred first; names of IANA or OpenSSL',
    ).argParser(values.suites),
  )
  .addOption(shared.groups())
  .addOption(
    option('--alpn <list>', 'protocols, most preferred first, such as h2,http/1.1').argParser(values.protocols),
  )
  .addOption(
    option('--session-cache <n|off>', 'sessions to keep in memory')
      .argParser(values.wholeNumberOrOff(1_000_000))
      .default(20_000),
  )
  .addOption(
    option('--tickets <n|off>', 'tickets for each full handshake of TLS 1.3; TLS 1.2 has one')
      .argParser(values.wholeNumberOrOff(255))
      .default(2),
  )
  .addOption(
    option(
      '--ticket-keys <file>',
      'file of ticket keys as another server has it; the first key seals, unless the layout says otherwise. Given again: files with further keys (default: a fresh key every day)',
    ).argParser(values.collect(String)),
  )
  .addOption(
    option('--ticket-key-layout <name>', 'how these files are laid out; never guessed from their size')
      .choices(sealingLayouts)
      .default('nginx80'),
  )
  .addOption(
    option('--lifetime <seconds>', 'how long sessions and tickets live')
      .argParser(values.wholeNumber(1, longestLifetime))
      .default(7200),
  )
  .addOption(
    option('--early-data <bytes>', 'early data (0-RTT) to accept on a connection; 0 is none')
      .argParser(values.wholeNumber(0, 2 ** 32 - 1))
      .default(0),
  )
  .addOption(
    option('--replay-guard <kind>', 'who refuses early data that came before; off accepts replays')
      .choices(['memory', 'off'])
      .default('memory'),
  )
  .option('--client-ca <file>', 'authorities for certificates of clients, in PEM')
  .addOption(
    option('--client-auth <policy>', 'whether clients show a certificate')
      .choices(['none', 'request', 'require'])
      .default('none'),
  )
  .addOption(shared.psk())
  .addOption(shared.crypto())
  .addOption(shared.keylog())
  .addOption(
    option('--www', 'answer each request with a page that says how the connection was made (default)').conflicts(
      'echo',
    ),
  )
  .addOption(option('--echo', 'send each record back as one record'))
  .addOption(shared.json())
  .action(async (flags: ServeFlags) => {
    const { serve } = await import('./serve.js');
    await serve(flags);
  });

program
  .command('connect')
  .description(
    'Connect, send a request, read until the server closes or 0.7 s of quiet, and say how the connection was made.',
  )
  .addArgument(program.createArgument('<host:port>', 'server').argParser(values.target))
  .option('--servername <name>', 'name for SNI and for the certificate; empty sends none (default: the host)')
  .option('--ca <file>', 'trusted certificates in PEM (default: those of Mozilla)')
  .addOption(option('--insecure', 'accept any certificate: whoever is in the middle can read along').conflicts('ca'))
  .addOption(shared.min())
  .addOption(shared.max())
  .addOption(shared.groups())
  .option('--no-tickets', 'neither ask for tickets nor offer them')
  .option('--session-in <file>', 'sessions of an earlier run to resume')
  .option('--session-out <file>', 'where to leave the sessions of the last connection; they are secret')
  .option(
    '--early-data <file>',
    'what to send as early data, as far as the session allows, and else at the start; - is standard input',
  )
  .addOption(
    option('--reconnect <n>', 'connect so many times more, each time with the sessions of the time before')
      .argParser(values.wholeNumber(0, 1_000_000))
      .default(0),
  )
  .option('--request <text|file>', 'what to send; a text is completed by an empty line (default: GET / HTTP/1.0)')
  .addOption(shared.psk())
  .addOption(shared.crypto())
  .addOption(shared.keylog())
  .addOption(shared.json())
  .action(async (target: values.Target, flags: ConnectFlags) => {
    const { connect } = await import('./connect.js');
    await connect(target, flags);
  });
