using System.ComponentModel.DataAnnotations;

namespace ThreatFeeds.Api.Hosting;

/// <summary>What the bodies of requests and answers may cost, on every route.</summary>
internal sealed class BodyOptions
{
    /// <summary>Bytes that the bodies of all requests under way may hold together, unpacked and with what is made of them. At least 128 MiB, so that the largest document fits; unset: 256 MiB.</summary>
    [ConfigurationKeyName("Http:BodiesMaxBytes")]
    [Range(typeof(long), "134217728", "9223372036854775807")]
    public long MaxBytes { get; set; } = 256L << 20;

    /// <summary>Bytes that all answers under way may hold together until they are read. At least 128 MiB, so that the largest feed fits; unset: 256 MiB.</summary>
    [ConfigurationKeyName(AnswerBudget.Key)]
    [Range(typeof(long), "134217728", "9223372036854775807")]
    public long AnswersMaxBytes { get; set; } = 256L << 20;

    /// <summary>Bytes a second that a body must come with on average, once <see cref="Grace"/> is over. 1 to 1 GiB; unset: 16 KiB.</summary>
    [ConfigurationKeyName("Http:BodyMinBytesPerSecond")]
    [Range(1, 1 << 30)]
    public int MinBytesPerSecond { get; set; } = 16 << 10;

    /// <summary>Time a body may keep us waiting beyond what its pace allows, and so the longest silence in it; 10 s. Not for operators: it is what a lost packet costs.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(10);
}
