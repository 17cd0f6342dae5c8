export { GroupsTab } from "./GroupsTab";
