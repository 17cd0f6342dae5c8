export { HostsTab } from "./HostsTab";
