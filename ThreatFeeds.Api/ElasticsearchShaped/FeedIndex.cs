using System.Text.RegularExpressions;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.ElasticsearchShaped;

/// <summary>The threat-feed indices by all the names the original has had for them.</summary>
/// <param name="Content">What its documents hold; null for an index that is not served.</param>
/// <param name="Problem">Why it is not served, naming the right index; null when it is.</param>
internal readonly partial record struct FeedIndex(ContentKind? Content, string? Problem)
{
    /// <summary>The index to write to, by its present name.</summary>
    public static string NameFor(ContentKind content, string cluster) => $"tigera_secure_ee_threatfeeds_{Part(content)}.{cluster}.";

    public static FeedIndex Of(string name, string cluster)
    {
        Match match = New().Match(name);
        if (!match.Success)
        {
            match = DateMath().Match(name);
        }
        if (!match.Success)
        {
            match = Old().Match(name);
        }
        if (match.Success)
        {
            ContentKind content = ContentOf(match.Groups["part"].Value);
            string named = match.Groups["cluster"].Value;
            return named == cluster
                ? new FeedIndex(content, null)
                : new FeedIndex(null, $"no such index [{name}]: it is for the cluster '{named}', but this one is '{cluster}'; write to {NameFor(content, cluster)} (or set Cluster:Name)");
        }
        match = Single().Match(name);
        return match.Success
            ? new FeedIndex(ContentOf(match.Groups["part"].Value), null)
            : new FeedIndex(null, $"no such index [{name}]: threat feeds are written to {NameFor(ContentKind.IPSet, cluster)} (field ips) or {NameFor(ContentKind.DomainNameSet, cluster)} (field domains)");
    }

    private static string Part(ContentKind content) => content == ContentKind.IPSet ? "ipset" : "domainnameset";

    private static ContentKind ContentOf(string part) => part == "ipset" ? ContentKind.IPSet : ContentKind.DomainNameSet;

    // tigera_secure_ee_threatfeeds_ipset.CLUSTER. and, as the alias resolves, what follows the dot.
    [GeneratedRegex(@"^tigera_secure_ee_threatfeeds_(?<part>ipset|domainnameset)\.(?<cluster>[^/]+?)\.(linseed(-[0-9]{8})?-[0-9]{6})?$")]
    private static partial Regex New();

    // <tigera_secure_ee_threatfeeds_ipset.CLUSTER.linseed-{now/s{yyyyMMdd}}-000001>
    [GeneratedRegex(@"^<tigera_secure_ee_threatfeeds_(?<part>ipset|domainnameset)\.(?<cluster>[^/]+?)\.linseed-\{now(/[smhdwMy])?(\{[^{}]*\})?\}-[0-9]{6}>$")]
    private static partial Regex DateMath();

    // .tigera.ipset.CLUSTER, to version 3.17
    [GeneratedRegex(@"^\.tigera\.(?<part>ipset|domainnameset)\.(?<cluster>.+)$")]
    private static partial Regex Old();

    [GeneratedRegex("^calico_threatfeeds_(?<part>ipset|domainnameset)_standard$")]
    private static partial Regex Single();
}
