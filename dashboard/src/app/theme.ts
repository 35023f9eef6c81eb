/// Colours, type and the defaults of the component library.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const petrol: MantineColorsTuple = [
  "#e8f6f7", "#d3eaec", "#a5d5d9", "#74bec5", "#4dabb4", "#319ea9", "#1c8f9b", "#0c6b72", "#095e65", "#034b51",
];

/// Neutral with a hint of the brand's hue: borders and surfaces, not text alone.
const dark: MantineColorsTuple = [
  "#e3e7e8", "#b9c1c4", "#94a0a4", "#6b777b", "#475257", "#333c40", "#262d31", "#1b2124", "#14181b", "#0e1113",
];

export const theme = createTheme({
  colors: { petrol, dark },
  primaryColor: "petrol",
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SFMono-Regular", Menlo, Consolas, "Liberation Mono", monospace',
  components: {
    // Almost every field is required; what is not says so.
    InputWrapper: { defaultProps: { withAsterisk: false } },
    Button: { defaultProps: { size: "sm" } },
  },
});

/// Text and links that keep a contrast of at least 4.5 on the page and on cards, in both schemes.
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#566166",
    "--mantine-color-anchor": "#0c6b72",
    "--mantine-color-error": "#b3261e",
    "--mantine-color-placeholder": "#69757a",
  },
  dark: {
    "--mantine-color-dimmed": "#a0abaf",
    "--mantine-color-anchor": "#6cc3ca",
    "--mantine-color-error": "#ff9b91",
    "--mantine-color-placeholder": "#8a979b",
    "--mantine-color-body": "#14181b",
  },
});
