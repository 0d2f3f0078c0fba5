namespace ThreatFeeds.Api.Hosting;

/// <summary>The paths below which programs call; below all others are pages and their files.</summary>
internal static class ApiPaths
{
    private static readonly PathString[] Calls = ["/v1", "/apis", "/api", "/elasticsearch", "/openapi", "/metrics"];

    // Whoever watches the process must hear that it lives above all when it has its hands full.
    private static readonly PathString[] Probes = ["/livez", "/readyz"];

    public static bool Are(PathString path) => Below(Calls, path) || Below(Probes, path);

    /// <summary>Whether what is answered there may be large, and counts as held until it is read.</summary>
    public static bool Hold(PathString path) => Below(Calls, path);

    private static bool Below(PathString[] paths, PathString path) => Array.Exists(paths, p => path.StartsWithSegments(p, StringComparison.OrdinalIgnoreCase));
}
