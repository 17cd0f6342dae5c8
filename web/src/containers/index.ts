export { ContainersTab } from "./ContainersTab";
