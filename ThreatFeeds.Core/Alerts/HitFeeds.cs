using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Alerts;

/// <summary>
/// The feeds of hits as rows hold them: <c>name#id</c> with the id of the feed's listing, so that a feed deleted and made again is another, which counts what its own
/// look-back finds. Earlier versions wrote the name alone, which stands for whatever feed has it.
/// </summary>
internal sealed class HitFeeds
{
    private readonly Dictionary<string, ListingRow> _listings;
    private readonly Dictionary<string, string> _marks = new(StringComparer.Ordinal);

    private HitFeeds(Dictionary<string, ListingRow> listings) => _listings = listings;

    public static async Task<HitFeeds> LoadAsync(ThreatFeedsContext db, IEnumerable<FoundHit> hits, CancellationToken cancellationToken)
    {
        string[] names = [.. hits.SelectMany(h => h.Feeds).Distinct(StringComparer.Ordinal)];
        return new HitFeeds(await db.Listings.AsNoTracking().Where(l => names.Contains(l.Feed)).ToDictionaryAsync(l => l.Feed, StringComparer.Ordinal, cancellationToken));
    }

    /// <summary>The names in a row's text.</summary>
    public static string[] Names(string feeds) => [.. feeds.Split(',').Select(Name)];

    /// <summary>What a new row holds.</summary>
    public string Write(IReadOnlyList<string> names) => names.Count == 1 ? Mark(names[0]) : string.Join(',', names.Order(StringComparer.Ordinal).Select(Mark));

    /// <summary>A row's text with what these feeds add to it.</summary>
    /// <param name="gained">Names of the feeds that were not there.</param>
    public string Unite(string feeds, IEnumerable<string> names, out string[] gained)
    {
        string[] had = feeds.Split(',');
        string[] fresh = [.. names.Where(n => !had.Contains(n) && !had.Contains(Mark(n)))];
        gained = fresh;
        return string.Join(',', had.Where(h => !fresh.Contains(Name(h))).Concat(fresh.Select(Mark)).Order(StringComparer.Ordinal));
    }

    /// <summary>Identity of the feed that has the name now; null when none has.</summary>
    public Guid? Uid(string name) => _listings.GetValueOrDefault(name)?.FeedUid;

    /// <summary>A feed that is gone already has no listing: 0.</summary>
    private string Mark(string name)
    {
        if (!_marks.TryGetValue(name, out string? mark))
        {
            _marks[name] = mark = string.Create(CultureInfo.InvariantCulture, $"{name}#{_listings.GetValueOrDefault(name)?.Id ?? 0}");
        }
        return mark;
    }

    private static string Name(string mark) => mark.Split('#')[0];
}
