using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using ThreatFeeds.Storage;
using Xunit;

namespace ThreatFeeds.Tests.House;

/// <summary>Which room knows which, read from the compiled assemblies. The decision is docs/decisions/0001-rooms.md.</summary>
public sealed class ArrowTests
{
    private static readonly Architecture Compiled = new ArchLoader()
        .LoadAssemblies(typeof(ThreatFeedsContext).Assembly, typeof(global::ThreatFeeds.Web.WebRegistration).Assembly, typeof(global::ThreatFeeds.Api.Hosting.ThreatFeedsHost).Assembly).Build();

    /// <summary>What each room of Core really uses, in the order of the rooms; all may use Vocabulary and Telemetry.</summary>
    private static readonly (string Room, string[] Uses)[] Needs =
    [
        ("Vocabulary", []),
        ("Telemetry", []),
        ("Actors", []),
        ("Storage", []),
        ("Indicators", []),
        ("Manifests", []),
        ("Parsing", ["Indicators", "Manifests"]),
        ("Resources", ["Storage"]),
        ("Sets", ["Indicators", "Manifests", "Parsing", "Storage"]),
        ("Listings", ["Indicators", "Manifests", "Sets", "Storage"]),
        ("Runs", ["Actors", "Listings", "Manifests", "Parsing", "Storage"]),
        ("Feeds", ["Actors", "Indicators", "Listings", "Manifests", "Resources", "Runs", "Storage"]),
        ("Pulling", ["Feeds", "Indicators", "Listings", "Manifests", "Parsing", "Runs", "Sets", "Storage"]),
        ("Pushing", ["Actors", "Feeds", "Indicators", "Listings", "Manifests", "Parsing", "Runs", "Sets", "Storage"]),
        ("Logs", ["Actors"]),
        ("Matching", ["Indicators"]),
        ("Alerts", ["Actors", "Logs", "Storage"]),
        ("Searching", ["Alerts", "Feeds", "Indicators", "Listings", "Logs", "Manifests", "Matching", "Sets", "Storage"]),
        ("Jobs", ["Actors", "Alerts", "Feeds", "Listings", "Manifests", "Pulling", "Resources", "Runs", "Searching", "Storage"]),
        ("Embedded", ["Logs", "Storage"]),
    ];

    [Fact]
    public void Every_room_of_Core_stands_in_the_table_once() =>
        Assert.Equal(Sources.Rooms("ThreatFeeds.Core"), Needs.Select(n => n.Room).Order(StringComparer.Ordinal));

    [Fact]
    public void Rooms_of_Core_use_what_the_table_says_and_nothing_else()
    {
        string[] real = [.. Needs.Select(n => $"{n.Room}: {string.Join(", ", Used($"ThreatFeeds.{n.Room}").Order(StringComparer.Ordinal))}")];
        Assert.Equal(Needs.Select(n => $"{n.Room}: {string.Join(", ", n.Uses.Order(StringComparer.Ordinal))}"), real);
    }

    [Fact]
    public void Arrows_point_to_earlier_rooms_only()
    {
        string[] order = [.. Needs.Select(n => n.Room)];
        Assert.Empty(from need in Needs from used in need.Uses where Array.IndexOf(order, used) >= Array.IndexOf(order, need.Room) select $"{need.Room} uses {used}, which comes after it");
    }

    [Fact]
    public void No_room_knows_an_adapter_of_the_log_store() =>
        Assert.Empty(Needs.Where(n => n.Uses.Contains("Embedded") || n.Uses.Contains("Elasticsearch")).Select(n => n.Room));

    [Fact]
    public void Web_knows_Core_only()
    {
        // Seen at all: a name that nothing has would know nobody either.
        Assert.Contains("ThreatFeeds.Alerts", Namespaces("ThreatFeeds.Web"));
        Assert.Empty(Namespaces("ThreatFeeds.Web").Where(n => Under(n, "ThreatFeeds.Api")));
    }

    [Fact]
    public void Api_knows_of_Web_no_more_than_its_registration()
    {
        Assert.Contains("ThreatFeeds.Web", Namespaces("ThreatFeeds.Api"));
        Assert.Empty(Namespaces("ThreatFeeds.Api").Where(n => n.StartsWith("ThreatFeeds.Web.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Hangfire", "ThreatFeeds.Jobs")]
    [InlineData("YamlDotNet", "ThreatFeeds.Manifests")]
    [InlineData("FluentValidation", "ThreatFeeds.Manifests")]
    [InlineData("MudBlazor", "ThreatFeeds.Web")]
    [InlineData("Npgsql.EntityFrameworkCore", "ThreatFeeds.Storage")]
    public void One_room_knows_the_library_and_no_other(string library, string room) =>
        Assert.Equal([room], Compiled.Types.Where(t => t.Namespace.FullName.StartsWith("ThreatFeeds.", StringComparison.Ordinal))
            .Where(t => t.Dependencies.Any(d => Under(d.Target.Namespace?.FullName ?? "", library)))
            .Select(t => Under(t.Namespace.FullName, room) ? room : t.FullName).Distinct());

    [Fact]
    public void Program_only_composes() =>
        Assert.InRange(Sources.Read("ThreatFeeds.Api/Program.cs").AsSpan().Count('\n'), 1, 30);

    /// <summary>Rooms of Core that the types of a room use, without itself and what all may use.</summary>
    private static IEnumerable<string> Used(string room) => Namespaces(room)
        .Where(n => n.StartsWith("ThreatFeeds.", StringComparison.Ordinal) && !Under(n, room)).Select(n => n.Split('.')[1]).Where(n => n is not ("Telemetry" or "Vocabulary")).Distinct();

    private static IEnumerable<string> Namespaces(string room) => Compiled.Types.Where(t => Under(t.Namespace.FullName, room))
        .SelectMany(t => t.Dependencies)
        // Type parameters of one name are one type to the loader, wherever they stand.
        .Where(d => d.Target is not GenericParameter).Select(d => d.Target.Namespace?.FullName ?? "").Distinct();

    private static bool Under(string ns, string room) => ns == room || ns.StartsWith(room + ".", StringComparison.Ordinal);
}
