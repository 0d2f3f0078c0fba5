using System.Globalization;

namespace ThreatFeeds.Logs;

/// <summary>
/// Why a line cannot be accepted; the default value means that it can. Its words are made only when they are asked for: of a body of bad lines the first
/// hundred are named, and the others must cost no more than a good line does.
/// </summary>
/// <param name="Words">For the sender, as in "line 3 is not a JSON object"; <c>{0}</c> stands for <paramref name="Place"/>.</param>
/// <param name="Place">A number that the words name, such as the one-based byte of the line.</param>
public readonly record struct LineFault(string? Words, int Place = 0)
{
    /// <summary>The line can be accepted.</summary>
    public bool IsNone => Words is null;

    public override string ToString() => Words?.Replace("{0}", Place.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) ?? "";
}
