namespace ThreatFeeds.Pulling;

/// <summary>Names that mean something inside a network only. Asked where no address can be judged: the name goes to a proxy, which alone resolves it.</summary>
internal static class InnerNames
{
    // RFC 6761, RFC 6762 with its appendix G, RFC 8375; what Kubernetes, clouds and routers use.
    private static readonly string[] Suffixes = ["localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa", "svc", "consul", "test"];

    /// <summary>Why the name may not be handed on unjudged; null when it may.</summary>
    /// <param name="host">In ASCII, as <see cref="Uri.IdnHost"/> has it.</param>
    public static string? Refusal(string host)
    {
        string name = host.TrimEnd('.');
        string last = name[(name.LastIndexOf('.') + 1)..];
        if (last.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            return "it is no name of DNS";
        }
        // In whatever base: some take such a name for an address (127.0.0.0x1).
        if (char.IsAsciiDigit(last[0]))
        {
            return "it ends in a number, as addresses do";
        }
        if (last.Length == name.Length)
        {
            return "it is a single label, which inner networks complete";
        }
        return Suffixes.FirstOrDefault(s => name.EndsWith("." + s, StringComparison.OrdinalIgnoreCase)) is { } suffix
            ? $"names below '{suffix}' belong to inner networks"
            : null;
    }
}
