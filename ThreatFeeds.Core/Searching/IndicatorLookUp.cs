using System.Text;
using ThreatFeeds.Alerts;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Sets;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Searching;

/// <param name="Feed">Name of a feed that lists the value.</param>
/// <param name="Indicator">Its most specific indicator that covers the value.</param>
/// <param name="Since">When this feed first listed that indicator without a break.</param>
public sealed record ListedBy(string Feed, string Indicator, DateTimeOffset? Since);

/// <summary>The answer of <c>GET /v1/indicators/VALUE</c>.</summary>
/// <param name="Value">Canonical.</param>
/// <param name="Kind">name or address.</param>
/// <param name="LastHits">The newest hits of exactly this value, at most 20.</param>
/// <param name="Damaged">Enabled feeds of such values whose stored set is damaged: whether they list it, or since when, is not known.</param>
public sealed record IndicatorAnswer(
    string Value, string Kind, bool Listed, IReadOnlyList<ListedBy> Feeds, IReadOnlyList<HitView> LastHits, IReadOnlyList<DamagedFeed> Damaged);

/// <summary>Is a value listed, by whom, by which indicator, since when, and who touched it.</summary>
public sealed class IndicatorLookUp(ListedSets sets, Snapshots snapshots, AlertQueries alerts)
{
    private const int Hits = 20;

    /// <summary>Null when the value is neither a name nor an address.</summary>
    public async Task<IndicatorAnswer?> FindAsync(string value, CancellationToken cancellationToken)
    {
        value = value.Trim();
        bool isAddress = IpValue.TryParse(Encoding.UTF8.GetBytes(value), out IpValue address);
        string canonical = value;
        if (isAddress)
        {
            canonical = address.ToString();
        }
        else if (!DomainName.TryCanonicalize(value, out canonical!))
        {
            return null;
        }
        ContentKind content = isAddress ? ContentKind.IPSet : ContentKind.DomainNameSet;
        Snapshot snapshot = await snapshots.RefreshAsync(cancellationToken);
        List<DamagedFeed> damaged = [.. snapshot.Damaged.Where(d => d.Content == content)];
        bool listed = isAddress
            ? snapshot.Index.TryMatchAddress(address, out IndexMatch match)
            : snapshot.Index.TryMatchName(Encoding.ASCII.GetBytes(canonical), out match);
        var feeds = new List<ListedBy>();
        foreach (string feed in listed ? match.Feeds : [])
        {
            IndexedFeed set = snapshot.Feeds.First(f => f.Feed == feed);
            byte[]? entry = Covering(isAddress, canonical, set.MatchSubdomains).FirstOrDefault(e => set.Set.Contains(e));
            DateTimeOffset? since = null;
            try
            {
                since = entry is null ? null : await sets.SinceAsync(feed, entry, cancellationToken);
            }
            catch (DamagedSetException problem)
            {
                // Damaged since it was read to search with.
                damaged.Add(new DamagedFeed(feed, content, problem.Message));
            }
            feeds.Add(new ListedBy(feed, entry is null ? match.Indicator : IndicatorText.Decode(entry), since));
        }
        return new IndicatorAnswer(canonical, isAddress ? "address" : "name", listed, feeds, await alerts.LastHitsAsync(canonical, Hits, cancellationToken), damaged);
    }

    /// <summary>Every entry that would cover the value, the most specific first.</summary>
    private static IEnumerable<byte[]> Covering(bool isAddress, string canonical, bool matchSubdomains)
    {
        if (isAddress)
        {
            for (int length = canonical.Contains(':', StringComparison.Ordinal) ? 128 : 32; length >= 0; length--)
            {
                if (IndicatorText.TryEncode(ContentKind.IPSet, $"{canonical}/{length}", out byte[] prefix))
                {
                    yield return prefix;
                }
            }
            yield break;
        }
        for (string name = canonical; ; name = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..])
        {
            if (name.Length == canonical.Length || matchSubdomains)
            {
                yield return Encoding.ASCII.GetBytes(name);
            }
            yield return Encoding.ASCII.GetBytes("*." + name);
            if (!name.Contains('.', StringComparison.Ordinal))
            {
                yield break;
            }
        }
    }
}
