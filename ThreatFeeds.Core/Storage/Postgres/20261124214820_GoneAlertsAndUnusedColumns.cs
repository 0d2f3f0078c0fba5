using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ThreatFeeds.Storage.Postgres
{
    /// <inheritdoc />
    public partial class GoneAlertsAndUnusedColumns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "ReceivedAt",
                table: "waiting_pushes");

            migrationBuilder.DropColumn(
                name: "UpdatedAt",
                table: "pushed_documents");

            migrationBuilder.DropColumn(
                name: "RecordId",
                table: "hits");

            migrationBuilder.DropColumn(
                name: "StateChangedAt",
                table: "alerts");

            migrationBuilder.CreateTable(
                name: "gone_alerts",
                columns: table => new
                {
                    AlertId = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gone_alerts", x => x.AlertId);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "gone_alerts");

            migrationBuilder.AddColumn<DateTime>(
                name: "ReceivedAt",
                table: "waiting_pushes",
                type: "timestamp with time zone",
                nullable: false,
                defaultValue: new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified));

            migrationBuilder.AddColumn<DateTime>(
                name: "UpdatedAt",
                table: "pushed_documents",
                type: "timestamp with time zone",
                nullable: false,
                defaultValue: new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified));

            migrationBuilder.AddColumn<string>(
                name: "RecordId",
                table: "hits",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<DateTime>(
                name: "StateChangedAt",
                table: "alerts",
                type: "timestamp with time zone",
                nullable: true);
        }
    }
}
