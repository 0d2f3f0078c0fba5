using System.Text.RegularExpressions;
using Xunit;

namespace ThreatFeeds.Tests.House;

/// <summary>Each table of the database has one room that writes it; others may read its rows.</summary>
public sealed class TableTests
{
    /// <summary>Set of the context, table, the room that writes it.</summary>
    private static readonly (string Set, string Table, string Room)[] Writers =
    [
        ("Resources", "resources", "Resources"),
        ("ResourceChanges", "resource_changes", "Resources"),
        ("Listings", "listings", "Listings"),
        ("ListingChanges", "listing_changes", "Listings"),
        ("StoredSets", "stored_sets", "Sets"),
        ("SetChunks", "set_chunks", "Sets"),
        ("Runs", "runs", "Runs"),
        ("WaitingPushes", "waiting_pushes", "Pushing"),
        ("PushedDocuments", "pushed_documents", "Pushing"),
        ("Progress", "progress", "Searching"),
        ("LookBacks", "look_backs", "Searching"),
        ("GoneSources", "gone_sources", "Searching"),
        ("SetAside", "set_aside", "Alerts"),
        ("Hits", "hits", "Alerts"),
        ("Alerts", "alerts", "Alerts"),
        ("GoneAlerts", "gone_alerts", "Alerts"),
        ("AlertFeeds", "alert_feeds", "Alerts"),
        ("AlertSamples", "alert_samples", "Alerts"),
        ("FeedHits", "feed_hits", "Alerts"),
        ("AlertOutbox", "alert_outbox", "Alerts"),
    ];

    [Fact]
    public void Every_table_has_a_row_here()
    {
        IEnumerable<string> sets = Regex.Matches(Sources.Read("ThreatFeeds.Core/Storage/ThreatFeedsContext.cs"), @"public DbSet<\w+> (\w+) =>").Select(m => m.Groups[1].Value);
        // Counters are written through Storage's own call, by whoever counts.
        Assert.Equal(sets.Where(s => s != "Counters").Order(StringComparer.Ordinal), Writers.Select(w => w.Set).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Only_its_own_room_writes_a_table()
    {
        IEnumerable<string> wrong =
            from file in Sources.In("ThreatFeeds.Core").Concat(Sources.In("ThreatFeeds.Api")).Concat(Sources.In("ThreatFeeds.Web"))
            where file.Path.EndsWith(".cs", StringComparison.Ordinal) && file.Room != "Storage"
            from writer in Writers
            where file.Room != writer.Room || !file.Path.StartsWith("ThreatFeeds.Core/", StringComparison.Ordinal)
            where Writes(file.Text, writer.Set, writer.Table)
            select $"{file.Path} writes {writer.Table}, which {writer.Room} does";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_room_that_is_said_to_write_a_table_does() =>
        Assert.Empty(Writers.Where(w => !Sources.In("ThreatFeeds.Core").Where(f => f.Room == w.Room).Any(f => Writes(f.Text, w.Set, w.Table))).Select(w => $"{w.Room} does not write {w.Table}"));

    private static bool Writes(string text, string set, string table) =>
        Regex.IsMatch(text, $@"\bdb\.{set}\.(Add|AddRange|Remove|RemoveRange|Update)\(")
        || Regex.IsMatch(text, $@"await\s+db\.{set}\b(?:(?!;|await).)*?\.Execute(Update|Delete)Async\(", RegexOptions.Singleline)
        || Regex.IsMatch(text, $@"InsertManyAsync\(\s*""{table}""|UPDATE {table} SET|DELETE FROM {table}\b|INSERT INTO {table}\b");
}
