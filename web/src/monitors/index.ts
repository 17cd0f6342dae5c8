export { MonitorsTab } from "./MonitorsTab";
