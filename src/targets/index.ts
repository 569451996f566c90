/**
 * `tls-resume/targets`: tickets that nginx, Apache, HAProxy, Node.js and others resume, and fleets that share ticket keys with them.
 */
export { fleetTickets, type FleetMember, type FleetOptions, type FleetTickets } from './fleet.js';
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
export type { AcceptanceRules, ExtendedMasterSecretRule, HostRule, TargetOptions, TicketTarget } from './target.js';
