export { GroupsTab } from './GroupsTab';
