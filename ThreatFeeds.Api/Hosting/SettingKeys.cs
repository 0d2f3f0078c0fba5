using System.Reflection;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Which keys there are, and which are nearly ones: a mistyped key must not be silent.</summary>
internal static class SettingKeys
{
    /// <summary>Changed letters up to which a section's name is taken for a mistyped one of ours. Further away it may be anybody's: the environment is configuration too.</summary>
    private const int NearSection = 2;

    public static IReadOnlyList<string> All { get; } = [.. Settings.Classes.SelectMany(Properties).Select(Of)];

    private static readonly string[] OfTheServer = ["Logging", "Kestrel"];

    private static readonly string[] Sections = [.. All.Where(k => k.Contains(':', StringComparison.Ordinal)).Select(SectionOf).Distinct()];

    /// <summary>The properties of an options class that can be set.</summary>
    public static IEnumerable<PropertyInfo> Properties(Type options) =>
        options.GetProperties().Where(p => p.IsDefined(typeof(ConfigurationKeyNameAttribute)));

    public static string Of(PropertyInfo property) => property.GetCustomAttribute<ConfigurationKeyNameAttribute>()!.Name;

    /// <summary>A sentence for each key in a section of ours, or in one named nearly so, that nothing reads.</summary>
    public static IEnumerable<string> Unknown(IConfiguration configuration) =>
        from pair in configuration.AsEnumerable()
        where pair.Value is not null
        // On the command line somebody may write what only the environment turns into a colon.
        let key = pair.Key.Replace("__", ":", StringComparison.Ordinal)
        where key.Contains(':', StringComparison.Ordinal) && (key != pair.Key || !IsKnown(key)) && Sections.Any(s => Distance(s, SectionOf(key)) <= Near(s))
        select Refusal(pair.Key);

    /// <summary>What is wrong with a key that somebody typed as a setting of ours; null when nothing is. Here nothing foreign can be meant but what the server itself reads.</summary>
    public static string? Problem(string key) =>
        IsKnown(key) || OfTheServer.Any(s => key.StartsWith(s + ":", StringComparison.OrdinalIgnoreCase)) ? null : Refusal(key);

    private static string Refusal(string key)
    {
        string read = key.Replace("__", ":", StringComparison.Ordinal);
        string nearest = All.MinBy(k => Distance(k, read))!;
        // What has nothing in common with the nearest was hardly meant for it.
        bool meant = Sections.Any(s => read.StartsWith(s + ":", StringComparison.OrdinalIgnoreCase)) || 2 * Distance(nearest, read) <= read.Length;
        return meant ? $"{key} is no setting; did you mean {nearest}?" : $"{key} is no setting; the README lists those there are.";
    }

    private static bool IsKnown(string key) => All.Any(k => key.Equals(k, StringComparison.OrdinalIgnoreCase)
        || (key.StartsWith(k + ":", StringComparison.OrdinalIgnoreCase) && key[(k.Length + 1)..].All(char.IsAsciiDigit)));

    private static string SectionOf(string key) => key[..key.IndexOf(':', StringComparison.Ordinal)];

    /// <summary>Of a short name two letters are too much of it.</summary>
    private static int Near(string section) => section.Length > 4 ? NearSection : 1;

    /// <summary>Letters to change, add or leave out, whatever their case.</summary>
    private static int Distance(string one, string other)
    {
        int[] row = [.. Enumerable.Range(0, other.Length + 1)];
        for (int i = 1; i <= one.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= other.Length; j++)
            {
                int change = diagonal + (char.ToUpperInvariant(one[i - 1]) == char.ToUpperInvariant(other[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
