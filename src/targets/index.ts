/**
 * `tls-resume/targets`: tickets that nginx, Apache, HAProxy, Node.js and others resume, and fleets that share ticket keys with them.
 */
export { fleetTickets, type FleetMember, type FleetOptions, type FleetTickets } from './fleet.js';
export {
  inspectTicket,
  type InspectOptions,
  type OpenedReport,
  type TargetVerdict,
  type TicketAge,
  type TicketAttempt,
  type TicketReport,
} from './inspect.js';
export { mintSession, sealTicketFor, type MintOptions } from './mint.js';
export {
  apacheTarget,
  h2oTarget,
  haproxyTarget,
  nginxTarget,
  nodeTarget,
  opensslTarget,
  type ApacheTargetOptions,
  type HaproxyTargetOptions,
  type NginxTargetOptions,
  type NodeTargetOptions,
  type OpensslTargetOptions,
} from './openssl-family.js';
export {
  boringsslTarget,
  go120Target,
  go121Target,
  s2nTarget,
  tlsResumeTarget,
  type BoringsslTargetOptions,
  type Go120TargetOptions,
  type Go121TargetOptions,
  type TlsResumeTargetOptions,
} from './others.js';
export type { AcceptanceRules, ExtendedMasterSecretRule, HostRule, TargetOptions, TicketTarget } from './target.js';
export { recogniseTicket, type LayoutGuess } from './recognise.js';
export type { ReadState } from './state-kinds.js';
