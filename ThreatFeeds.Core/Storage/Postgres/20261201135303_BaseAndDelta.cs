using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ThreatFeeds.Storage.Postgres
{
    /// <inheritdoc />
    public partial class BaseAndDelta : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "BaseId",
                table: "stored_sets",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "Removed",
                table: "set_chunks",
                type: "boolean",
                nullable: false,
                defaultValue: false);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "BaseId",
                table: "stored_sets");

            migrationBuilder.DropColumn(
                name: "Removed",
                table: "set_chunks");
        }
    }
}
