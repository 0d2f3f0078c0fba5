namespace ThreatFeeds.Alerts;

/// <summary>Sections <c>Alerts</c> and <c>Cluster</c>.</summary>
public sealed class AlertOptions
{
    /// <summary>Cluster:Name; default <c>cluster</c>, as the original's.</summary>
    public string Cluster { get; set; } = "cluster";

    /// <summary>Alerts:GroupingHours: a hit this near to an alert of its key joins it. Default 24.</summary>
    public double GroupingHours { get; set; } = 24;

    /// <summary>Alerts:RetentionDays after the last hit; default 91, as the original keeps events.</summary>
    public double RetentionDays { get; set; } = 91;
}
