export { GraphsTab } from './GraphsTab';
