namespace ThreatFeeds.Manifests;

/// <summary>By its name a Secret or ConfigMap that headers are taken from belongs to one feed: the one with the longest name that its own name goes on from.</summary>
public static class HeaderOwner
{
    private const string Begin = "globalthreatfeed-";

    /// <summary>What the names of a feed's Secrets and ConfigMaps begin with.</summary>
    public static string Prefix(string feed) => $"{Begin}{feed}-";

    /// <summary>Names that the feed would have which the Secret or ConfigMap belongs to, the longest first.</summary>
    public static IReadOnlyList<string> Candidates(string name)
    {
        var feeds = new List<string>();
        string rest = name.StartsWith(Begin, StringComparison.Ordinal) ? name[Begin.Length..] : "";
        for (int dash = rest.Length - 2; dash > 0; dash--)
        {
            if (rest[dash] == '-')
            {
                feeds.Add(rest[..dash]);
            }
        }
        return feeds;
    }

    /// <summary>Why a feed may not take a header from a Secret or ConfigMap of that name, and which name would be right; null when it may.</summary>
    /// <param name="owner">The longest of the candidates that is a feed; null when none is.</param>
    public static string? Refusal(string feed, string name, string? owner) => owner == feed ? null
        // Without a hyphen in what goes on, no longer name of a feed can fit.
        : $"belongs to {(owner is null ? "no feed" : $"the feed {owner}")}, by its name; one of the feed {feed} is named like {Prefix(feed)}{name[(name.LastIndexOf('-') + 1)..]}: create it under such a name and change the feed";
}
