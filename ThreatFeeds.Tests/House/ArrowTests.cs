using ThreatFeeds.Pushing;
using Xunit;

namespace ThreatFeeds.Tests.House;

/// <summary>Which room may know which. The decision is docs/decisions/0001-rooms.md.</summary>
public sealed class ArrowTests
{
    /// <summary>Each room with those it may use, besides Telemetry and what those rooms themselves may use.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Telemetry"] = [],
        ["Storage"] = [],
        ["Indicators"] = [],
        ["Resources"] = ["Storage", "Indicators"],
        ["Feeds"] = ["Resources"],
        ["Parsing"] = ["Feeds"],
        ["Sets"] = ["Parsing"],
        ["Pulling"] = ["Sets"],
        ["Pushing"] = ["Sets"],
        ["Logs"] = ["Pulling", "Pushing"],
        ["Alerts"] = ["Logs"],
        ["Searching"] = ["Alerts"],
        ["NetworkSets"] = ["Searching"],
        ["Scheduling"] = ["NetworkSets"],
        // Adapters of the log store's port: they know the port, nobody in Core knows them.
        ["Embedded"] = ["Logs"],
        ["Elasticsearch"] = ["Logs"],
    };

    [Fact]
    public void Every_room_of_Core_has_a_place_in_the_order() =>
        Assert.Empty(Sources.Rooms("ThreatFeeds.Core").Except(Arrows.Keys));

    [Fact]
    public void Rooms_of_Core_use_earlier_rooms_only()
    {
        IEnumerable<string> wrong =
            from file in Sources.In("ThreatFeeds.Core")
            where Arrows.ContainsKey(file.Room)
            let allowed = Reach(file.Room)
            from used in file.Uses
            let room = used.Split('.') is [_, string first, ..] ? first : ""
            where room.Length > 0 && room != file.Room && room != "Telemetry" && !allowed.Contains(room)
            select $"{file.Path} uses {used}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Web_knows_Core_only() =>
        Assert.Empty(from file in Sources.In("ThreatFeeds.Web")
                     from used in file.Uses
                     where used.StartsWith("ThreatFeeds.Api", StringComparison.Ordinal) || used.StartsWith("ThreatFeeds.Tests", StringComparison.Ordinal)
                     select $"{file.Path} uses {used}");

    [Fact]
    public void Api_knows_of_Web_no_more_than_its_registration_and_what_it_asks_for() =>
        Assert.Empty(from file in Sources.In("ThreatFeeds.Api")
                     from used in file.Uses
                     where used.StartsWith("ThreatFeeds.Web.", StringComparison.Ordinal) && used != "ThreatFeeds.Web.Data"
                     select $"{file.Path} uses {used}");

    [Fact]
    public void Only_Scheduling_knows_Quartz() =>
        Assert.Empty(Sources.Product.Where(f => f.Room != "Scheduling" && f.Text.Contains("using Quartz", StringComparison.Ordinal)).Select(f => f.Path));

    [Fact]
    public void Program_only_composes() =>
        Assert.InRange(Sources.Read("ThreatFeeds.Api/Program.cs").AsSpan().Count('\n'), 1, 30);

    private static HashSet<string> Reach(string room)
    {
        var reach = new HashSet<string>();
        var open = new Stack<string>(Arrows[room]);
        while (open.TryPop(out string? next))
        {
            if (reach.Add(next))
            {
                Array.ForEach(Arrows[next], open.Push);
            }
        }
        return reach;
    }
}
