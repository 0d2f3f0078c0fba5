namespace ThreatFeeds.Api.Hosting;

/// <summary>What the bodies of all requests under way may hold, and what is made of them.</summary>
internal sealed class BodyBudget(long most) : ByteBudget(most, "Http:BodiesMaxBytes");

/// <summary>What all answers under way may hold until they are sent, and what they are made of.</summary>
internal sealed class AnswerBudget(long most) : ByteBudget(most, Key)
{
    public const string Key = "Http:AnswersMaxBytes";

    /// <summary>Of the calls that make far more than they answer so many do at once: a page of 8 MiB of records is made of up to ten times as much.</summary>
    public SemaphoreSlim Turns { get; } = new(2);
}

/// <summary>What the console's open pages may hold of manifests. Apart from bodies: a page may be open for as long as its reader likes.</summary>
internal sealed class PageBudget(long most) : ByteBudget(most, "Http:BodiesMaxBytes");

/// <summary>A body did not come as fast as it must (408).</summary>
internal sealed class BodyTooSlowException() : Exception("The body came too slowly.");

/// <summary>The sender of a body went away before its end, or framed it as nobody can read it (400).</summary>
internal sealed class BodyBrokenOffException(Exception inner) : Exception("The body was broken off by its sender.", inner);
