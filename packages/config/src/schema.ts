/** What `cuenv cache init` and editors are given: JSON Schemas and commented files, made from the table of settings. */
export { type JsonSchema, projectSettingsSchema, userSettingsSchema } from "./settings-schema.ts";
export {
  settingsTemplate,
  type TemplateFormat,
  type TemplateOptions,
} from "./settings-template.ts";
