/** The variables that a framework puts into what it builds: turbo counts them for a package that depends on it, and so do we. */
const byDependency: Readonly<Record<string, readonly string[]>> = {
  "@redwoodjs/core": ["REDWOOD_ENV_*"],
  "@sveltejs/kit": ["VITE_*", "PUBLIC_*"],
  "@vue/cli-service": ["VUE_APP_*"],
  astro: ["PUBLIC_*"],
  expo: ["EXPO_PUBLIC_*"],
  gatsby: ["GATSBY_*"],
  next: ["NEXT_PUBLIC_*"],
  nuxt: ["NUXT_*", "NITRO_*"],
  "react-scripts": ["REACT_APP_*"],
  sanity: ["SANITY_STUDIO_*"],
  vite: ["VITE_*"],
};

export function frameworkVariables(dependencies: readonly string[]): readonly string[] {
  const found = dependencies.flatMap((name) =>
    Object.hasOwn(byDependency, name) ? (byDependency[name] ?? []) : [],
  );
  return [...new Set(found)].toSorted();
}
