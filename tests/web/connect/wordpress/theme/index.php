<!doctype html><html <?php language_attributes(); ?>><head><title>Trial</title><?php wp_head(); ?></head><body>
<?php
while ( have_posts() ) {
	the_post();
	the_content();
	is_singular( 'product' ) && do_action( 'woocommerce_after_single_product_summary' );
}
wp_footer();
?>
</body></html>
