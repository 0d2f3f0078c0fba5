using System.Text.RegularExpressions;

namespace ThreatFeeds.Searching;

/// <summary>
/// Which search of which source failed. The condition begins with it, so that whoever reads it, a person or a process, knows whose it is: it goes when that search
/// has gone well or its source is gone, and not when another's does.
/// </summary>
/// <param name="Source">Its id; empty for the snapshot, which is everybody's.</param>
internal readonly partial record struct FailureMark(string Search, string Source)
{
    public static FailureMark Snapshot { get; } = new("snapshot", "");

    public string Before(string message) => $"{this}: {message}";

    /// <summary>Null when the message has none, as those of damaged sets and of earlier versions.</summary>
    public static FailureMark? Of(string message) =>
        Pattern().Match(message) is { Success: true } found ? new FailureMark(found.Groups[1].Value, found.Groups[2].Value) : null;

    public override string ToString() => Source.Length == 0 ? Search : $"{Search} of {Source}";

    [GeneratedRegex(@"^(snapshot|forward|look-back)(?: of (\S+))?: ", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
