using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;

namespace ThreatFeeds.Alerts;

/// <summary>Sections <c>Alerts</c> and <c>Cluster</c>.</summary>
public sealed class AlertOptions
{
    /// <summary>The cluster that records come from. It becomes part of index names, so it is a letter or digit, or at most 100 of them with dots and hyphens between. Unset: <c>cluster</c>, as the original's.</summary>
    [ConfigurationKeyName("Cluster:Name")]
    [RegularExpression("[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?", ErrorMessage = "use at most 100 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends")]
    public string Cluster { get; set; } = "cluster";

    /// <summary>Hours; a hit at most this far from the first or last of an alert of its key joins it. 1 to 720; unset: 24.</summary>
    [ConfigurationKeyName("Alerts:GroupingHours")]
    [Range(1, 720)]
    public int GroupingHours { get; set; } = 24;

    /// <summary>Days that alerts are kept after their last hit. 1 to 3650; unset: 91, as the original keeps events.</summary>
    [ConfigurationKeyName("Alerts:RetentionDays")]
    [Range(1, 3650)]
    public int RetentionDays { get; set; } = 91;
}
